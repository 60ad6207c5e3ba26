"""Results and runs in plain files that numpy and json read: written whole or not at all, read without trust."""
