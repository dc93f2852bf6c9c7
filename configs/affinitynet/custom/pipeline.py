# One's own photographs: copy this file and say where they are and what is on them.
#   python tools/dataset_converters/folder.py PHOTOS data/custom
_base_ = '../voc12/pipeline.py'
work_dir = 'work_dirs/custom'
overrides = dict(
    dataset_type='FolderDataset',
    data_root='data/custom',
    image_dir='images',
    mask_dir='masks',
    train_list='train.txt',
    val_list='val.txt',
    # Pseudo masks are measured wherever there is a mask; the segmentor only with masks of val.txt.
    mask_list=None,
    test_segmentor=False,
    classes=['background', 'cat', 'dog'],
    # A batch holds 16 photographs; these suit some hundreds to some thousands.
    seed_iters=800,
    affinity_iters=1400,
    segmentor_iters=500,
)
