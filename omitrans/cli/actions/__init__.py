"""Work of each command; a file is imported only when its command runs."""
