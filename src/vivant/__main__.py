"""``python -m vivant``: the same as the command ``vivant``."""

from vivant.cli.main import main

if __name__ == "__main__":
    main()
