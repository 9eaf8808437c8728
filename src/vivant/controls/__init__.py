"""What a user may ask of a clip beyond the picture: one module a control, one table.

Coordinates are normalised to the picture: x runs 0..1 from left to right, y 0..1 from top to
bottom. Lengths are in short sides of the picture.
"""
