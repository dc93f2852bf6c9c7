"""Take pseudo masks to an annotation tool and corrected masks back; it is `mmwsss convert annotations`."""

from mmwsss.commands import start
from mmwsss.commands.convert import annotations

if __name__ == '__main__':
    start(annotations)
