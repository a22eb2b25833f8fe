package catalog

import (
	"archive/zip"
	"bytes"
	"image/png"
	"io"
	"maps"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const root = "../../.."

// build makes a package as it is shipped.
func build(t *testing.T, source Source) map[string][]byte {
	t.Helper()
	files, err := Build(source)
	require.NoError(t, err)
	return files
}

// shipped calls a test for each package.
func shipped(t *testing.T, test func(t *testing.T, source Source, files map[string][]byte, template *Template)) {
	t.Helper()
	sources, err := Sources(root)
	require.NoError(t, err)
	for _, source := range sources {
		t.Run(path.Base(source.Folder), func(t *testing.T) {
			template, err := ReadTemplate(source.Template)
			require.NoError(t, err)
			test(t, source, build(t, source), template)
		})
	}
}

// decoded is a file of YAML, in which tags like !yaql are dropped.
func decoded(t *testing.T, file []byte, into any) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal(regexp.MustCompile(`!yaql `).ReplaceAll(file, nil), into))
}

func TestPackagesHoldWhatTheirManifestsName(t *testing.T) {
	shipped(t, func(t *testing.T, _ Source, files map[string][]byte, template *Template) {
		var manifest Manifest
		decoded(t, files["manifest.yaml"], &manifest)
		assert.Equal(t, "MuranoPL/1.4", manifest.Format)
		assert.Equal(t, "Application", manifest.Type)
		assert.Regexp(t, `^io\.github\.cluster_autoscaler_openstack\.[A-Z]\w+$`, manifest.FullName)
		assert.Regexp(t, `^\d+\.\d+\.\d+$`, manifest.Version)
		for _, text := range []string{manifest.Name, manifest.Description, manifest.Author} {
			assert.NotEmpty(t, text)
		}
		assert.NotEmpty(t, manifest.Tags)
		require.Len(t, manifest.Classes, 1)
		assert.Contains(t, files, "Classes/"+manifest.Classes[manifest.FullName])
		assert.Contains(t, files, "UI/"+manifest.UI)
		logo, err := png.Decode(bytes.NewReader(files[manifest.Logo]))
		require.NoError(t, err)
		assert.LessOrEqual(t, logo.Bounds().Dx(), 256)
		assert.Equal(t, template.Text, files["Resources/template.yaml"])
		for _, name := range references(template.Text) {
			assert.Contains(t, files, "Resources/HotFiles/"+name)
		}
	})
}

func TestClassKnowsEveryParameterButTheSize(t *testing.T) {
	shipped(t, func(t *testing.T, _ Source, files map[string][]byte, template *Template) {
		var class struct {
			Name       string
			Properties map[string]struct{ Contract map[string]string }
		}
		text := string(files["Classes/Stack.yaml"])
		// The contract of the name is no map.
		decoded(t, []byte(strings.Replace(text, "    Contract: $.string().notNull().check", "    Check: $", 1)), &class)
		contracts := map[string]string{}
		for name, contract := range class.Properties["templateParameters"].Contract {
			require.False(t, template.Parameters[name].Hidden, name)
			contracts[name] = contract
		}
		for name, contract := range class.Properties["hiddenParameters"].Contract {
			name, ok := strings.CutPrefix(name, "password_")
			require.True(t, ok && template.Parameters[name].Hidden, name)
			contracts[name] = contract
		}
		for _, name := range Sizes {
			require.Contains(t, template.Parameters, name)
			assert.NotContains(t, contracts, name)
		}
		assert.Len(t, contracts, len(template.Parameters)-len(Sizes))
		for name, contract := range contracts {
			assert.Equal(t, map[string]string{
				"number": "$.int()", "boolean": "$.bool()",
				"string": "$.string()", "json": "$.string()", "comma_delimited_list": "$.string()",
			}[template.Parameters[name].Type], contract, name)
		}
		assert.Contains(t, text, "all($now.get($) != null)")
		assert.Contains(t, text, "list(node_count, nodes_to_remove)")
		assert.NotRegexp(t, placeholder, text)
	})
}

func TestFormAsksForEveryParameterButTheSize(t *testing.T) {
	shipped(t, func(t *testing.T, _ Source, files map[string][]byte, template *Template) {
		var form struct {
			Application struct {
				Visible map[string]string `json:"templateParameters"`
				Hidden  map[string]string `json:"hiddenParameters"`
			}
			Forms []map[string]struct{ Fields []map[string]any }
		}
		decoded(t, files["UI/ui.yaml"], &form)
		fields := map[string]map[string]any{}
		for _, page := range form.Forms {
			require.Len(t, page, 1)
			for name, content := range page {
				assert.Regexp(t, `^[a-z_]+$`, name)
				for _, field := range content.Fields {
					fields["$."+name+"."+field["name"].(string)] = field
				}
			}
		}
		assert.Contains(t, fields, "$.application.name")
		sources := maps.Clone(form.Application.Visible)
		for name, source := range form.Application.Hidden {
			sources[strings.TrimPrefix(name, "password_")] = source
		}
		assert.NotEmpty(t, form.Application.Hidden)
		assert.Len(t, sources, len(template.Parameters)-len(Sizes))
		for name, source := range sources {
			parameter := template.Parameters[name]
			assert.Equal(t, parameter.Hidden, form.Application.Visible[name] == "", name)
			field := fields[source]
			require.NotNilf(t, field, "%s is %s, which no page has", name, source)
			assert.Equal(t, strings.TrimSpace(parameter.Label), field["label"])
			assert.Equal(t, parameter.Default == nil, field["required"], name)
			assert.Equal(t, parameter.Hidden, field["type"] == "password", name)
			if pattern, ok := field["regexpValidator"].(string); ok {
				_, err := regexp.Compile(pattern)
				assert.NoError(t, err, name)
			}
		}
	})
}

// Murano accepts nothing but strings, and Heat gives lists and maps as what they are.
func TestOutputsAreStrings(t *testing.T) {
	shipped(t, func(t *testing.T, _ Source, _ map[string][]byte, template *Template) {
		require.NotEmpty(t, template.Outputs)
		for name, output := range template.Outputs {
			value := output.(map[string]any)["value"]
			if function, ok := value.(map[string]any); ok {
				for key := range function {
					assert.Containsf(t, []string{"str_replace", "list_join", "get_param", "get_resource", "if"}, key, "output %s", name)
				}
			}
		}
	})
}

func TestZipIsAlwaysTheSame(t *testing.T) {
	shipped(t, func(t *testing.T, source Source, files map[string][]byte, _ *Template) {
		first, err := Zip(files)
		require.NoError(t, err)
		second, err := Zip(build(t, source))
		require.NoError(t, err)
		assert.Equal(t, first, second)
		archive, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
		require.NoError(t, err)
		assert.Len(t, archive.File, len(files))
		for i, file := range archive.File {
			assert.Equal(t, 1980, file.Modified.Year())
			if i > 0 {
				assert.Less(t, archive.File[i-1].Name, file.Name)
			}
			content, err := file.Open()
			require.NoError(t, err)
			text, err := io.ReadAll(content)
			require.NoError(t, err)
			assert.Equal(t, files[file.Name], text)
		}
	})
}
