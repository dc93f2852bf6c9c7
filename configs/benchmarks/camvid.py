# CamVid with labels of 3 x 4 tiles of each image, which are stronger supervision, and with labels of whole images.
# python tools/dataset_converters/camvid.py data/camvid --tiles 3 4
# python tools/benchmark.py configs/benchmarks/camvid.py
picked = 'The labels are read off the masks. Those of tiles tell where in an image a class is. Masks picked no setting.'
fast = dict(method='fast', network='efficientnet_lite1', ground_truth=picked)
grid = [
    dict(fast, data='camvid_tiles', leaves='configs/fast/camvid/{network}_tiles'),
    dict(fast, data='camvid', leaves='configs/fast/camvid/{network}'),
]
