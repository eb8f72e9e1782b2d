"""The closed space: laboratory, emergency unblinding, allocations, final unblinding. In a process of its own."""
