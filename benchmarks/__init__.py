"""What is measured, against which peers."""
