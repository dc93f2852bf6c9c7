# AffinityNet on a frozen EfficientNet-Lite1, trained on the sure pixels of the masks of relabel.py. The walk starts
# from the maps of the classifier of pixels.
_base_ = [
    '../../../_base_/models/affinity_efficientnet_lite1.py',
    '../../../_base_/datasets/voc12_six_classes_affinity.py',
    '../../../_base_/schedules/sgd_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1_six_classes/affinity_net'
optim_wrapper = dict(optimizer=dict(lr=0.08))
train_dataloader = dict(
    dataset=dict(
        affinity_label_dir='work_dirs/fast/voc12/efficientnet_lite1_six_classes/affinity_labels/affinity_labels'
    )
)
test_dataloader = dict(dataset=dict(seed_dir='work_dirs/fast/voc12/efficientnet_lite1_six_classes/relabel/seeds'))
train_cfg = dict(max_iters=1000)
