from .errors import DataError


def check_image_id(image_id: str, source: str) -> None:
    """Check that an image id names a file below a folder, before paths are made of it.

    An id is the path of an image under the image folder without suffix, with ``/`` between folders. Spaces and any
    Unicode are fine.

    Args:
        image_id (str): The id.
        source (str): Where it is from, for the message.

    Raises:
        DataError: If it is empty, absolute, has a component ``..``, a line break, a NUL, or is no UTF-8.
    """
    try:
        image_id.encode()
    except UnicodeEncodeError as error:
        raise DataError(f'{source}: expected image ids in UTF-8, got {image_id!r}') from error
    if '\0' in image_id or image_id.splitlines() not in ([], [image_id]):
        raise DataError(f'{source}: expected image ids of one line each, got {image_id!r}')
    if not {'', '..'}.isdisjoint(image_id.split('/')):
        raise DataError(f'{source}: expected image ids that are paths below the image folder, got {image_id!r}')
