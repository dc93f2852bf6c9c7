# A linear classifier on a frozen EfficientNet-Lite1, CamVid.
_base_ = [
    '../../../_base_/models/fast_cam_efficientnet_lite1.py',
    '../../../_base_/datasets/camvid_fast_cam.py',
    '../../../_base_/schedules/linear_probe.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/fast/camvid/efficientnet_lite1/cam'
model = dict(head=dict(num_classes=11))
