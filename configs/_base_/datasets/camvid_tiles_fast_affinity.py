_base_ = ['./camvid_tiles.py', './fast_affinity.py']
test_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}))
