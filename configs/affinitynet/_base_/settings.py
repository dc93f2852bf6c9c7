# Settings of the five steps that are not about the data: the small recipe, which trains on a CPU. The settings.py of a
# data set inherits and completes them, a pipeline config or --cfg-options overrides any of them, and what is derived
# follows.

# Of networks/seed_*.py and affinity_*.py, and of networks/segmentor_*.py.
network = 'mobilenet_v2'
segmentor = 'deeplabv3plus_mobilenet_v2'
# ImageNet weights of the two.
weights = f'data/weights/{network}_imagenet.pth'
segmentor_weights = f'data/weights/{segmentor.partition("_")[2]}_imagenet.pth'

# True for what the released code does and this package does better: pairs of cells near the border of the grid are left
# out, scaled photographs are rounded to the pixel instead of to whole cells, and the padding of AffinityNet's crops is
# labelled as background.
reference = False
border = 'reference' if reference else 'full'
cam_size_divisor = 1 if reference else None
affinity_pad_label = 0 if reference else 255

num_workers = 2
seed_batch_size = 16
affinity_batch_size = 16
segmentor_batch_size = 16
# The classifier and the segmentor see photographs of classes in a smaller share of all of them than this more often.
seed_oversample_thr = 0
segmentor_oversample_thr = 0
# Colours of the photographs that the first two networks train on.
color_jitter = dict(type='PhotoMetricDistortion')
# Sizes of the photograph whose activation maps are summed, relative, and their weights; what each class is divided by.
cam_scales = (0.5, 1.25, 2.0)
cam_scale_weights = None
peak_quantile = 1.0
# Random walk: exponents of the affinities and of the background, steps.
beta = 10
alpha = 4
num_steps = 256
# Final dense CRF: a narrower appearance kernel and fewer iterations than those of the affinity labels.
crf_num_iters = 5
crf_bilateral = (60, 4, 8)
# The segmentor ignores pixels whose two best classes are this close.
margin = 0.2
# Whether it is tested with test-time augmentation (--tta): sizes tta_resizes and mirror images, merged by this model.
segmentor_tta = False
segmentor_tta_model = dict(type='SegTTAModel')
# Only deeplabv3plus_mobilenet_v2 reads these two: its learning rate and how many of its stages are frozen.
segmentor_lr = 0.002
segmentor_frozen_stages = -1
