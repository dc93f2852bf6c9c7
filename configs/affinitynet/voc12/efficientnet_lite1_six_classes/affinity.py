# AffinityNet on EfficientNet-Lite1, six classes of PASCAL VOC 2012, the small recipe.
_base_ = [
    '../../../_base_/models/affinity_efficientnet_lite1.py',
    '../../../_base_/datasets/voc12_six_classes_affinity.py',
    '../../../_base_/schedules/sgd_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/voc12/efficientnet_lite1_six_classes/affinity'
# The classifier's backbone knows the classes; frozen, ImageNet's gives a worse walk.
model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/affinitynet/voc12/efficientnet_lite1_six_classes/cam/final.pth',
            prefix='backbone.',
        )
    )
)
optim_wrapper = dict(optimizer=dict(lr=0.08))
train_dataloader = dict(
    dataset=dict(affinity_label_dir='work_dirs/affinitynet/voc12/efficientnet_lite1_six_classes/cam/affinity_labels')
)
test_dataloader = dict(dataset=dict(seed_dir='work_dirs/affinitynet/voc12/efficientnet_lite1_six_classes/cam/seeds'))
train_cfg = dict(max_iters=1800)
