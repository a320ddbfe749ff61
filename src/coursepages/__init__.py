"""What pages need and a script does not, and the commands that run, compare and copy the pages. Start at README.md."""
