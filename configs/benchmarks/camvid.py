# CamVid with labels of 3 x 4 tiles of each image, which are stronger supervision, and with labels of whole images.
# python tools/dataset_converters/camvid.py data/camvid --tiles 3 4
# python tools/benchmark.py configs/benchmarks/camvid.py
labels = 'The labels are read off the masks.'
tiles = (
    f'{labels} Those of tiles tell where in an image a class is. Masks of train decided that relabel.py has no'
    ' refiners, those of val that the segmentor is tested in windows.'
)
fast = dict(method='fast', network='efficientnet_lite1')
grid = [
    dict(fast, data='camvid_tiles', leaves='configs/fast/camvid/{network}_tiles', ground_truth=tiles),
    dict(fast, data='camvid', leaves='configs/fast/camvid/{network}', ground_truth=labels),
]
