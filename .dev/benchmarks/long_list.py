"""Times the loading of a long list of images with labels, as each process of a stage does.

    python .dev/benchmarks/long_list.py --images 1000000

The images need not be there. The peak of the memory is that of the whole process, imports and the writing included.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

from label_files import CLASSES, write_json
from mmengine.registry import init_default_scope

from mmwsss.registry import DATASETS


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--images', type=int, default=100_000)
    args = parser.parse_args()
    init_default_scope('mmseg')
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_json(root / 'labels.json', args.images)
        (root / 'list.txt').write_text('\n'.join(json.loads((root / 'labels.json').read_text())) + '\n')
        classes = ['background', *CLASSES]
        images = dict(
            type='BaseSegDataset',
            data_root=str(root),
            ann_file='list.txt',
            data_prefix=dict(img_path='images', seg_map_path='masks'),
            metainfo=dict(classes=classes, palette=[[0, 0, 0]] * len(classes)),
        )
        start = time.process_time()
        labels = str(root / 'labels.json')
        dataset = DATASETS.build(dict(type='mmwsss.ImageLabelDataset', dataset=images, image_labels=labels))
        seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kept = dataset.data_bytes.nbytes / 2**20
    print(f'{len(dataset)} images: {seconds:.1f} s of processor time, {peak:.0f} MiB at the peak, {kept:.0f} MiB kept')


if __name__ == '__main__':
    main()
