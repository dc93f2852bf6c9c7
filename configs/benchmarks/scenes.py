# The generated scenes of the quick start.
# python tools/dataset_converters/scenes.py data/scenes
# python tools/benchmark.py configs/benchmarks/scenes.py
picked = (
    'Masks of the training scenes picked the settings of the walk, those of the held-out scenes the iterations of '
    'the segmentor.'
)
scenes = dict(network='r18', data='scenes')
grid = [
    dict(scenes, method='affinitynet', seeds=[0, 1, 2], ground_truth=picked),
    dict(scenes, method='layercam'),
    dict(scenes, method='par'),
    dict(scenes, method='seam'),
    dict(
        scenes,
        method='irnet',
        leaves=['configs/affinitynet/scenes/r18/cam.py', 'configs/irnet/scenes/r18/affinity.py'],
    ),
]
