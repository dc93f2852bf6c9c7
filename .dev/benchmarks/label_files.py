"""Times the loading of image-level labels of many images, each format in a process of its own.

    python .dev/benchmarks/label_files.py --entries 1000000 --out label_files.json

The peak of the memory is that of the whole process, the imports included. On a busy machine, the seconds of the CPU
say more than those of the clock.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mmwsss.datasets.image_labels import read_image_labels

CLASSES = [f'class {index}' for index in range(80)]


def entries(count):
    rng = random.Random(0)
    for index in range(count):
        yield f'part_{index // 1000:04d}/photo_{index:08d}', rng.sample(CLASSES, rng.randint(0, 4))


def write_json(path, count):
    path.write_text(json.dumps(dict(entries(count))))


def write_csv(path, count):
    with open(path, 'w') as file:
        file.writelines(','.join([image_id, *names]) + '\n' for image_id, names in entries(count))


def write_coco(path, count):
    images, annotations = [], []
    for number, (image_id, names) in enumerate(entries(count)):
        images.append(dict(id=number, file_name=f'{image_id}.jpg', height=480, width=640))
        annotations += [dict(image_id=number, category_id=CLASSES.index(name)) for name in names]
    categories = [dict(id=index, name=name) for index, name in enumerate(CLASSES)]
    path.write_text(json.dumps(dict(images=images, annotations=annotations, categories=categories)))


FORMATS = dict(json=write_json, csv=write_csv, coco=write_coco)


def peak_mebibytes():
    """Peak memory of this program; getrusage would tell that of the process which started it, where that was larger."""
    line = next(line for line in Path('/proc/self/status').read_text().splitlines() if line.startswith('VmHWM:'))
    return int(line.split()[1]) / 1024


def load(path):
    """Loads in this process and prints what it took."""
    start, start_cpu = time.perf_counter(), time.process_time()
    labels = read_image_labels(path)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    taken = dict(seconds=round(seconds, 2), cpu_seconds=round(cpu_seconds, 2), peak_mib=round(peak_mebibytes()))
    print(json.dumps(dict(entries=len(labels), **taken)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--entries', type=int, default=1_000_000)
    parser.add_argument('--formats', nargs='+', choices=list(FORMATS), default=list(FORMATS))
    parser.add_argument('--out', help='JSON file of the results')
    parser.add_argument('--load', metavar='FILE', help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.load:
        load(args.load)
        return
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in args.formats:
            path = Path(folder, f'labels.{"csv" if name == "csv" else "json"}')
            FORMATS[name](path, args.entries)
            megabytes = path.stat().st_size / 1e6
            command = [sys.executable, __file__, '--load', str(path)]
            measured = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
            results[name] = dict(json.loads(measured), file_mb=round(megabytes))
            print(name, results[name], flush=True)
    if args.out:
        Path(args.out).write_text(json.dumps(results, indent=2) + '\n')


if __name__ == '__main__':
    main()
