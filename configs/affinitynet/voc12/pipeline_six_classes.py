# The photographs that hold nothing but these six classes, listed in ImageSets/Segmentation/six_*.txt.
_base_ = './pipeline.py'
work_dir = 'work_dirs/voc12_six_classes'
overrides = dict(
    classes=['background', 'cat', 'cow', 'dog', 'horse', 'person', 'sheep'],
    train_list='ImageSets/Segmentation/six_trainaug.txt',
    val_list='ImageSets/Segmentation/six_val2007.txt',
    mask_list='ImageSets/Segmentation/six_train.txt',
    seed_iters=1000,
    affinity_iters=1800,
    segmentor_iters=2500,
)
