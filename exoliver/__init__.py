"""exoliver: did the treatment bring the injured liver's survival programmes back towards health?"""

__version__ = "0.1.0"
