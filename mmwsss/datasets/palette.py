def color_map(num_classes: int) -> list[list[int]]:
    """Well-separated RGB colors, black for class 0: the bits of an index, spread over the channels, as in VOC."""
    colors = []
    for index in range(num_classes):
        bits = [[index >> (3 * level + channel) & 1 for level in range(3)] for channel in range(3)]
        colors.append([sum(bit << (7 - level) for level, bit in enumerate(channel)) for channel in bits])
    return colors
