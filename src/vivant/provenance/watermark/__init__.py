"""The invisible watermark: says of the frames alone, without their file, that vivant made them."""
