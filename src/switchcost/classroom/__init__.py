"""What the notebooks need and a script does not, and the commands that run, compare and copy them."""
