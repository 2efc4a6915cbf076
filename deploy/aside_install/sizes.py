"""How big and how long each stage is, measured with the lock files beside this folder; 1 MB is 10^6 bytes."""

from dataclasses import dataclass

MB = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a stage costs."""

    download_mb: int
    disk_mb: int
    #: On two processors with a fast network, in words.
    duration: str

    @property
    def peak_bytes(self) -> int:
        """Disk taken while it is installed: the result, and what was downloaded for it."""
        return (self.disk_mb + self.download_mb) * MB


APP = Size(download_mb=28, disk_mb=200, duration="half a minute")
DEV = Size(download_mb=78, disk_mb=390, duration="a minute")
ENGINE = Size(download_mb=992, disk_mb=3740, duration="2 to 5 minutes")
#: Twice its size for a moment: the new one is complete before it takes its place.
MODEL = Size(download_mb=0, disk_mb=512, duration="a minute")


def megabytes(size_bytes: float) -> str:
    """Put a number of bytes into words: `190 MB`, `3.7 GB`."""
    if size_bytes < 1000 * MB:
        return f"{size_bytes / MB:.0f} MB"
    return f"{size_bytes / (1000 * MB):.1f} GB"
