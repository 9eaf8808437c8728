"""What a user may ask for beyond the picture."""
