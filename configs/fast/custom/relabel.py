# Pseudo masks made anew by the classifier of pixels; nothing trains.
_base_ = [
    './data.py',
    '../../_base_/models/linear_efficientnet_lite1.py',
    '../../_base_/datasets/fast_relabel.py',
    '../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/fast/custom/relabel'
load_from = 'work_dirs/fast/custom/pixels/final.pth'
model = dict(
    _delete_=True,
    type='mmwsss.SeedTTAModel',
    module=_base_.model,
    feature_dir='work_dirs/fast/custom/cam/features',
)
model['module']['decode_head'].update(num_classes=_base_.num_classes)
# The size of data.py.
test_pipeline = _base_.test_pipeline
test_pipeline[1].transforms[0][0].update(scale=(round(0.7 * _base_.max_side),) * 2)
test_dataloader = dict(
    dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}, pipeline=test_pipeline)
)
