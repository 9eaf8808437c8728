"""From teachers, clips and made-up worlds to the weights that see."""
