"""Several pictures, and footage that goes on: in-betweening, retiming, loops, continuation."""
