package rootfs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// The folders below the one that Write is given, one for each layer of the image. What changes seldom comes first.
const (
	System   = "system"
	Programs = "programs"
)

// Options of Write. All are needed.
type Options struct {
	// Source is the repository's top folder.
	Source string
	// Arch is the architecture, as Go calls it.
	Arch string
	// Version is the product's, for the lists of modules; Created is when they were made, for them to say.
	Version string
	Created time.Time
}

// Write makes the image's files in dir, below the folders System and Programs. Both are made anew. Owner and times are whatever this
// process' are: an image has root and the time of the commit.
func Write(ctx context.Context, dir string, options Options) error {
	for _, name := range []string{System, Programs} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if err := writeSystem(ctx, filepath.Join(dir, System)); err != nil {
		return fmt.Errorf("files of the system: %w", err)
	}
	return writePrograms(ctx, filepath.Join(dir, Programs), options)
}

// writeFile writes a file, for everybody to read, with the folders above it. Not the process' umask decides who may.
func writeFile(path string, text []byte) error {
	if err := makeFolder(filepath.Dir(path), folderMode); err != nil {
		return err
	}
	if err := os.WriteFile(path, text, fileMode); err != nil {
		return err
	}
	return os.Chmod(path, fileMode)
}

const (
	fileMode    os.FileMode = 0o644
	folderMode  os.FileMode = 0o755
	programMode os.FileMode = 0o755
)

// makeFolder makes a folder, and those above it that are missing, for everybody to read.
func makeFolder(path string, mode os.FileMode) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := makeFolder(filepath.Dir(path), folderMode); err != nil {
		return err
	}
	if err := os.Mkdir(path, folderMode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}
