from torch import nn


def check_module(network: nn.Module, name: str, owner: str) -> None:
    """Refuses the name of a module that a network has not.

    Args:
        network (Module): The network.
        name (str): Dotted name of a module of it.
        owner (str): What names it, such as ``'layers of LayerCAM'``, for the message.

    Raises:
        ValueError: Naming the module, and those there are where its name ends to be one.
    """
    known = dict(network.named_modules())
    if name in known:
        return
    inner = name
    while inner not in known:
        inner = inner.rpartition('.')[0]
    names = [child for child, _ in known[inner].named_children()]
    found = f'has {names}' if names else 'has no module in it'
    raise ValueError(f'{owner}: the network has no module {name!r}; {inner or "the network"} {found}')
