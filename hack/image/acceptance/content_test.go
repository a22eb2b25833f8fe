//go:build image

package acceptance

import (
	"bytes"
	"crypto/x509"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/hack/image/archive"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/hack/image/rootfs"
)

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// What an image says of itself is true, for both architectures.
func TestWhatItSays(t *testing.T) {
	require.NoError(t, validate.Index(index(t)))
	all := images(t)
	require.ElementsMatch(t, slices.Collect(maps.Keys(machines)), slices.Collect(maps.Keys(all)))
	for arch, image := range all {
		config, err := image.ConfigFile()
		require.NoError(t, err)
		require.Equal(t, arch, config.Architecture)
		require.Equal(t, "65532:65532", config.Config.User)
		require.Equal(t, setting(t, "IMAGE_CREATED"), fmt.Sprint(config.Created.Unix()))
		labels := config.Config.Labels
		require.Equal(t, setting(t, "IMAGE_VERSION"), labels["org.opencontainers.image.version"])
		require.Equal(t, setting(t, "IMAGE_REVISION"), labels["org.opencontainers.image.revision"])
		manifest, err := image.Manifest()
		require.NoError(t, err)
		for label, value := range labels {
			require.NotEmpty(t, value, label)
			require.Equal(t, value, manifest.Annotations[label])
		}
		require.Equal(t, config.Created.UTC().Format(time.RFC3339), manifest.Annotations["org.opencontainers.image.created"])
		packed, unpacked, err := archive.Sizes(image)
		require.NoError(t, err)
		fmt.Printf("bench image_size_mb_%s %.1f MB\nbench image_unpacked_mb_%s %.1f MB\n", arch, float64(packed)/1e6, arch, float64(unpacked)/1e6)
	}
}

// There are the programs, what they need, and nothing else: above all no shell.
func TestWhatIsInIt(t *testing.T) {
	for arch, image := range images(t) {
		content := files(t, image)
		programs := rootfs.ProgramNames()
		require.GreaterOrEqual(t, len(programs), 2)
		for name, f := range content {
			require.Equal(t, "0:0", f.owner, name)
			isProgram := slices.Contains(programs, name)
			switch {
			case strings.HasSuffix(name, "/"):
				if name == "tmp/" {
					require.Equal(t, "51777", f.mode)
				} else {
					require.Equal(t, "5755", f.mode, name)
				}
			case isProgram:
				require.Equal(t, "0755", f.mode, name)
				requireStatic(t, f.text, machines[arch])
			default:
				require.Equal(t, "0644", f.mode, "%s can be run", name)
			}
			known := isProgram || slices.ContainsFunc([]string{"etc/", "home/", "tmp/", "usr/"}, func(folder string) bool { return strings.HasPrefix(name, folder) })
			require.True(t, known, "nobody expects %s", name)
		}
		require.True(t, x509.NewCertPool().AppendCertsFromPEM(content["etc/ssl/certs/ca-certificates.crt"].text))
		require.Contains(t, string(content["etc/passwd"].text), "nonroot:x:65532:65532:")
		require.Contains(t, string(content[rootfs.LicensePath].text), "Apache License")
		_, err := time.LoadLocationFromTZData("Asia/Tokyo", content["usr/share/zoneinfo/Asia/Tokyo"].text)
		require.NoError(t, err)
	}
}

func requireStatic(t *testing.T, program []byte, machine elf.Machine) {
	t.Helper()
	parsed, err := elf.NewFile(bytes.NewReader(program))
	require.NoError(t, err)
	require.Equal(t, machine, parsed.Machine)
	libraries, err := parsed.ImportedLibraries()
	require.NoError(t, err)
	require.Empty(t, libraries)
	for _, part := range parsed.Progs {
		require.NotEqual(t, elf.PT_INTERP, part.Type, "it needs an interpreter")
	}
}

// The lists of modules name every module that is linked, at the version of go.mod, and the same lists are beside the image.
func TestBills(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	required, err := modfile.Parse("go.mod", text, nil)
	require.NoError(t, err)
	versions := map[string]string{}
	for _, module := range required.Require {
		versions[module.Mod.Path] = module.Mod.Version
	}
	for arch, image := range images(t) {
		content := files(t, image)
		for _, program := range rootfs.ProgramNames() {
			bill := content[rootfs.BillPath(program)].text
			beside, err := os.ReadFile(filepath.Join(setting(t, "IMAGE_SBOM"), arch, program+".cdx.json"))
			require.NoError(t, err)
			require.True(t, bytes.Equal(bill, beside), "the list of %s in the image is another one than beside it", program)
			listed := componentsOf(t, bill)
			info, err := buildinfo.Read(bytes.NewReader(content[program].text))
			require.NoError(t, err)
			require.Greater(t, len(info.Deps), 30)
			for _, module := range info.Deps {
				require.Equal(t, module.Version, versions[module.Path], "%s of go.mod", module.Path)
				require.Equal(t, module.Version, listed[module.Path], "%s in the list of %s", module.Path, program)
			}
			require.Equal(t, info.GoVersion, "go"+strings.TrimPrefix(listed["std"], "go"))
			require.Len(t, listed, len(info.Deps)+1, "only what is linked is listed")
		}
	}
}

// componentsOf are the versions of a list by the names of modules.
func componentsOf(t *testing.T, bill []byte) map[string]string {
	t.Helper()
	var content struct {
		BOMFormat  string
		Components []struct{ Name, Version string }
	}
	require.NoError(t, json.Unmarshal(bill, &content))
	require.Equal(t, "CycloneDX", content.BOMFormat)
	out := map[string]string{}
	for _, component := range content.Components {
		out[component.Name] = component.Version
	}
	return out
}
