# The second round: the same segmentor, trained afresh on the masks that the first one made.
_base_ = './segmentor.py'
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1_part/segmentor_round2'
train_dataloader = dict(
    dataset=dict(pseudo_mask_dir='work_dirs/fast/voc12/efficientnet_lite1_part/segmentor_relabel/pseudo_masks')
)
