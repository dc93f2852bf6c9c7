_base_ = '../efficientnet_lite1/affinity.py'
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1_part/affinity'
model = dict(feature_dir='work_dirs/fast/voc12/efficientnet_lite1_part/cam/features')
test_dataloader = dict(
    dataset=dict(
        dataset=dict(ann_file='ImageSets/Segmentation/trainaug.txt'),
        seed_dir='work_dirs/fast/voc12/efficientnet_lite1_part/cam/seeds',
    )
)
