package replay

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// ReadTrace reads a CSV file, plain or packed by gzip (.gz).
func ReadTrace(path string) (Trace, []string, error) {
	name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".gz"), ".csv")
	file, err := os.Open(path) //nolint:gosec // G304: the file that the user names
	if err != nil {
		return Trace{}, nil, err
	}
	defer file.Close()
	var r io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(file); err != nil {
			return Trace{}, nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	loads, notes, err := ReadCSV(r, bucket)
	if err != nil {
		return Trace{}, nil, fmt.Errorf("%s: %w", path, err)
	}
	return Trace{name, loads}, notes, nil
}

// ReadShipped reads the public traces from a folder and scales them to machines.
func ReadShipped(folder string) ([]Trace, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.csv.gz"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("there are no traces (*.csv.gz) in %s: %w", folder, err)
	}
	var traces []Trace
	for _, path := range paths {
		t, _, err := ReadTrace(path)
		if err != nil {
			return nil, err
		}
		t.Name = strings.TrimSuffix(t.Name, "_5min")
		traces = append(traces, Trace{t.Name, Scale(t.Loads, fullLoad)})
	}
	return traces, nil
}
