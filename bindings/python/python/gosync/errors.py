"""What can go wrong, beside ``OSError`` for files of this machine and ``ValueError``."""


class Error(Exception):
    """Something went wrong that is no trouble with a file of this machine."""


class CorruptError(Error):
    """Data is damaged, fails verification, or is not what the index was made for."""


class SourceError(Error):
    """The source cannot be reached, or refuses."""


class CancelledError(Error):
    """The progress callback returned ``False``."""
