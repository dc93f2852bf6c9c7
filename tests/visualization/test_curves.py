from mmwsss.visualization import plot_curves


def test_a_panel_for_each_name_and_a_line_for_each_run():
    figure = plot_curves(dict(loss=dict(a=([1, 2], [3.0, 2.0]), b=([1], [1.0])), lr=dict(a=([1], [0.1]))))
    labels = [[line.get_label() for line in axes.lines] for axes in figure.axes]
    assert labels == [['a', 'b'], ['a']]
    assert [axes.get_ylabel() for axes in figure.axes] == ['loss', 'lr']
    assert list(figure.axes[0].lines[0].get_ydata()) == [3.0, 2.0]
