_base_ = ['./camvid.py', './fast_relabel.py']
test_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}))
