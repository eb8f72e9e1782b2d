"""A whole trial with virtual participants, through the same commands as the real one."""
