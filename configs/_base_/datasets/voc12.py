# Photographs of PASCAL VOC 2012, as the settings say which. Masks are for evaluation only.
_base_ = ['{{$MMWSSS_SETTINGS:../../affinitynet/voc12/settings.py}}', '../default_runtime.py']

train_photos = dict(
    type='PascalVOCDataset',
    data_root={{_base_.data_root}},
    ann_file={{_base_.train_list}},
    data_prefix=dict(img_path={{_base_.image_dir}}, seg_map_path={{_base_.mask_dir}}),
    metainfo=dict(classes={{_base_.classes}}),
)
val_photos = dict(
    type='PascalVOCDataset',
    data_root={{_base_.data_root}},
    ann_file={{_base_.val_list}},
    data_prefix=dict(img_path={{_base_.image_dir}}, seg_map_path={{_base_.mask_dir}}),
    metainfo=dict(classes={{_base_.classes}}),
)
