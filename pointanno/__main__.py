"""``python -m pointanno`` is the ``pointanno`` command."""

from pointanno.cli import main

if __name__ == "__main__":
    main()
