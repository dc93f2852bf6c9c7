_base_ = ['./voc12.py', './fast_relabel.py']
test_dataloader = dict(
    dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}, mask_list={{_base_.mask_list}})
)
