"""What independent programs take for the same files: one line of JSON, milliseconds a file.

usage: python ecg.py SECONDS FILE.dcm...

ecgdatakit reads a file to its record and measures nothing. NeuroKit2 reads nothing itself: pydicom
reads, and NeuroKit2 cleans, finds R peaks and marks waves in each of the twelve leads, with the
quickest of its methods.
"""

import json
import os
import statistics
import sys
import time
import warnings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
warnings.filterwarnings("ignore")


def ecgdatakit_read(path):
    from ecgdatakit import FileParser

    return FileParser().parse(path)


def neurokit_measure(path):
    import neurokit2
    import pydicom

    dataset = pydicom.dcmread(path)
    rate_hz = int(dataset.WaveformSequence[0].SamplingFrequency)
    for lead in dataset.waveform_array(0).T:
        clean = neurokit2.ecg_clean(lead, sampling_rate=rate_hz)
        _, found = neurokit2.ecg_peaks(clean, sampling_rate=rate_hz)
        try:
            neurokit2.ecg_delineate(
                clean, found["ECG_R_Peaks"], sampling_rate=rate_hz, method="prominence"
            )
        except Exception:  # A lead in which it finds no beats; the time counts all the same.
            pass


def median_ms(work, files, seconds):
    work(files[0])  # Imports and caches.
    times, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until:
        for path in files:
            start = time.perf_counter()
            work(path)
            times.append((time.perf_counter() - start) * 1000)
            if time.perf_counter() >= until:
                break
    return statistics.median(times)


def main():
    seconds, files = float(sys.argv[1]), sys.argv[2:]
    figures = {}
    for name, work in (
        ("ecgdatakit_read_ms_median", ecgdatakit_read),
        ("neurokit2_read_and_delineate_ms_median", neurokit_measure),
    ):
        try:
            figures[name] = median_ms(work, files, seconds)
        except Exception as cause:
            print(f"{name}: {type(cause).__name__}: {cause}", file=sys.stderr)
    print(json.dumps(figures))


main()
