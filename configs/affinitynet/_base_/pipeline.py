# The five steps of AffinityNet (Ahn & Kwak, CVPR 2018), run by tools/pipeline.py. A data set adds its settings and a
# work directory. Names in braces are settings; {id} is a photograph of train_list.
config_dir = '{{ fileDirname }}/../steps'
steps = [
    dict(name='seed_train', config='seed_train.py', run='train'),
    dict(
        name='seed_infer',
        config='seed_infer.py',
        run='test',
        checkpoint='seed_train',
        outputs=dict(seeds='{seed_dir}/{id}.npz', affinity_labels='{affinity_label_dir}/{id}.png'),
    ),
    dict(name='affinity_train', config='affinity_train.py', run='train'),
    dict(
        name='affinity_infer',
        config='affinity_infer.py',
        run='test',
        checkpoint='affinity_train',
        inputs=['seed_infer', 'affinity_train'],
        outputs=dict(pseudo_masks='{pseudo_mask_dir}/{id}.png'),
    ),
    dict(name='segmentor', config='segmentor.py', run='train+test'),
]
# The ladder: step and metric of each rung.
results = dict(
    cam=('seed_infer', 'cam/mIoU'),
    cam_best=('seed_infer', 'cam/mIoU_best'),
    cam_dcrf=('seed_infer', 'cam_dcrf/mIoU'),
    random_walk=('affinity_infer', 'random_walk/mIoU'),
    random_walk_dcrf=('affinity_infer', 'random_walk_dcrf/mIoU'),
    segmentor=('segmentor', 'mIoU'),
)
used_ground_truth = (
    'Image-level labels train the classifier and gate the activation maps. Masks train nothing: they measure '
    'every mIoU here, and cam_best also picks its background score with them. The segmentor is measured on '
    'held-out photographs and sees no image-level labels there.'
)
