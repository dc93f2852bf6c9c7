"""Logged numbers as curves."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure


def plot_curves(curves: Mapping[str, Mapping[str, tuple[Sequence[int], Sequence[float]]]]) -> Figure:
    """Plots numbers of one or more runs over the iterations, a panel for each name, a line for each run.

    Args:
        curves (dict[str, dict]): By name, such as 'loss', and by run: iterations and values. At least one.

    Returns:
        Figure: To be saved.
    """
    figure = Figure(figsize=(7, 2.6 * len(curves)), layout='constrained')
    for axes, (name, runs) in zip(figure.subplots(len(curves), squeeze=False)[:, 0], curves.items()):
        for run, (iterations, values) in runs.items():
            axes.plot(iterations, values, label=run, linewidth=1.5, marker='.' if len(values) < 10 else None)
        axes.set(xlabel='iteration', ylabel=name)
        axes.grid(color='#e3e6ea')
        axes.legend(frameon=False)
    return figure
