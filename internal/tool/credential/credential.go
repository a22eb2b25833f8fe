// Package credential is the command credential.
package credential

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/access"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/ground"
)

// defaultLifetime is long enough not to be a burden, and short enough that a forgotten credential ends.
const defaultLifetime = 365 * 24 * time.Hour

// Result is what -o json and -o yaml print. The secret is not in it.
type Result struct {
	metav1.TypeMeta `json:",inline"`
	ID              string                 `json:"id,omitempty"`
	Name            string                 `json:"name"`
	Project         string                 `json:"project"`
	User            string                 `json:"user"`
	Expires         *time.Time             `json:"expires,omitempty"`
	Roles           []string               `json:"roles,omitempty"`
	AccessRules     []openstack.AccessRule `json:"accessRules"`
	// WrittenTo says where the credential is now.
	WrittenTo []string `json:"writtenTo,omitempty"`
}

type command struct {
	*cli.Options
	name, file, secret string
	roles              []string
	lifetime           time.Duration
	show, overwrite    bool
	dryRun             bool
	more               access.Needs
}

// New returns the command.
func New(o *cli.Options) *cobra.Command {
	c := &command{Options: o}
	cmd := &cobra.Command{
		Use:   "credential",
		Short: "Make an application credential that allows what the autoscaler does, and nothing else",
		Long: "Make an application credential that allows what the autoscaler does, and nothing else, with your own login: by password, of the user who made the stacks.\n\n" +
			"Its access rules are those that the node groups of the project need now; --with-... adds those of features that come later.\n" +
			"The secret goes where you say: into a file of mode 0600 (--file), into the Secret that the Helm chart and deploy/kubernetes read (--secret), or, only if you ask for it, " +
			"onto the terminal (--show).",
		Example: "  kubectl openstack-nodegroups credential --cloud=me --secret=cluster-autoscaler-openstack -n kube-system\n" +
			"  kubectl openstack-nodegroups credential --cloud=me --file=clouds.yaml --lifetime=2160h\n" +
			"  kubectl openstack-nodegroups credential --cloud=me --dry-run",
		Args: cobra.NoArgs,
		RunE: c.run,
	}
	f := cmd.Flags()
	f.StringVar(&c.name, "name", "", "Name of the application credential. Default: cluster-autoscaler-openstack- and the time.")
	f.DurationVar(&c.lifetime, "lifetime", defaultLifetime, "How long it is good for; 0 for ever.")
	f.StringArrayVar(&c.roles, "role", nil, "Role that it gets; one of yours. May be given more than once. Default: member.")
	f.StringVar(&c.file, "file", "", "Write a clouds.yaml with one entry, openstack, into this file of mode 0600.")
	f.BoolVar(&c.overwrite, "overwrite", false, "Replace the file if it is there.")
	f.StringVar(&c.secret, "secret", "", "Write a cloud.conf into this Secret, in the namespace of --namespace (-n); other keys of the Secret stay.")
	f.BoolVar(&c.show, "show", false, "Print the clouds.yaml, with the secret in it, on standard output.")
	f.BoolVar(&c.dryRun, "dry-run", false, "Print the access rules and make nothing.")
	f.BoolVar(&c.more.Gnocchi, "with-gnocchi", false, "Allow reading load from Gnocchi, even if no node group does so now.")
	f.BoolVar(&c.more.Aetos, "with-aetos", false, "Allow reading load from Prometheus through Aetos (--prometheus-url=aetos).")
	f.BoolVar(&c.more.Volumes, "with-volumes", false, "Allow Heat to look up volumes, even if no stack has any now.")
	f.BoolVar(&c.more.LoadBalancers, "with-load-balancers", false, "Allow Heat to look up load balancers, even if no stack has any now.")
	f.BoolVar(&c.more.Shutdown, "with-shutdown", false, "Allow machines to be shut down before they are removed (annotation graceful-shutdown-time), even if no node group asks for it now.")
	return cmd
}

func (c *command) run(cmd *cobra.Command, _ []string) error {
	ctx := cmd.Context()
	if c.lifetime < 0 {
		return cli.Usagef("--lifetime=%s: write a time such as 8760h, or 0 for ever", c.lifetime)
	}
	if c.file == "" && c.secret == "" && !c.show && !c.dryRun {
		return cli.Usagef("say where the secret goes: --file=clouds.yaml, --secret=NAME -n NAMESPACE, or --show; --dry-run shows the rules")
	}
	if c.show && c.IsStructured() {
		return cli.Usagef("--show prints a clouds.yaml and --output=%s something else; leave one out", c.Output)
	}
	if err := c.HideBodies(); err != nil {
		return err
	}
	g := ground.Stand(ctx, c.Options)
	defer g.Close()
	if g.SessionErr != nil {
		return g.SessionErr
	}
	needs, notes := c.needs(ctx, g)
	for _, note := range notes {
		_, _ = fmt.Fprintln(c.ErrOut, note)
	}
	facts := g.Session.Facts()
	now := c.Clock.Now()
	if c.name == "" {
		c.name = "cluster-autoscaler-openstack-" + now.UTC().Format("20060102-150405")
	}
	result := Result{
		TypeMeta: metav1.TypeMeta{APIVersion: cli.APIVersion, Kind: "ApplicationCredential"}, Name: c.name, Project: facts.ProjectName, User: facts.UserName,
		AccessRules: access.All(access.Rules(needs, facts)), Roles: c.roles,
	}
	var expires time.Time
	if c.lifetime > 0 {
		expires = now.Add(c.lifetime).UTC().Truncate(time.Second)
		result.Expires = &expires
	}
	if c.dryRun {
		return c.Print(result, func(out io.Writer) error { return human(out, "Would make", &result) })
	}
	if err := c.checkPlaces(ctx, g); err != nil {
		return err
	}
	made, err := access.Create(ctx, g.Session, access.Wish{Name: c.name, Expires: expires, Roles: c.roles, Needs: needs})
	if err != nil {
		return err
	}
	result.ID, result.Roles = made.ID, made.Roles
	if result.WrittenTo, err = c.handOver(ctx, g, made); err != nil {
		return err
	}
	if c.show {
		return nil
	}
	return c.Print(result, func(out io.Writer) error { return human(out, "Made", &result) })
}

// needs are what the node groups need now, and what was asked for besides.
func (c *command) needs(ctx context.Context, g *ground.Ground) (access.Needs, []string) {
	const plain = "the rules are those of a plain set-up and of the --with-... flags."
	switch {
	case g.Snapshot == nil:
		return c.more, []string{fmt.Sprintf("No node groups are known (%s): %s", openstack.Message(g.SnapshotErr), plain)}
	case len(g.Snapshot.Groups()) == 0:
		return c.more, []string{fmt.Sprintf("There are no node groups (%s): %s", g.Wanted, plain)}
	}
	needs, notes := g.Needs(ctx)
	return needs.Or(c.more), notes
}

// checkPlaces looks whether the credential can be handed over, before it is made.
func (c *command) checkPlaces(ctx context.Context, g *ground.Ground) error {
	if c.file != "" {
		if err := access.CheckFile(c.file, c.overwrite); err != nil {
			return fmt.Errorf("--file: %w", err)
		}
	}
	if c.secret == "" {
		return nil
	}
	if g.ClientErr != nil {
		return g.ClientErr
	}
	namespace, err := c.Namespace()
	if err != nil {
		return err
	}
	return access.CheckSecret(ctx, g.Client, namespace, c.secret)
}

func human(out io.Writer, did string, r *Result) error {
	until := "for ever"
	if r.Expires != nil {
		until = "until " + r.Expires.Format(time.RFC3339)
	}
	lines := make([]string, 0, 1+len(r.AccessRules)+len(r.WrittenTo))
	lines = append(lines, fmt.Sprintf("%s application credential %s of user %s in project %s, good %s", did, r.Name, r.User, r.Project, until))
	for _, rule := range r.AccessRules {
		lines = append(lines, fmt.Sprintf("  %-14s %-6s %s", rule.Service, rule.Method, rule.Path))
	}
	for _, place := range r.WrittenTo {
		lines = append(lines, "Written to "+place)
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}
