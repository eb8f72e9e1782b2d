"""What crosses from the closed to the open space: only arm-neutral facts, and never lost on the way."""
