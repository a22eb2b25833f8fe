package simulator

// GroupTemplate makes members as deploy/heat/nodegroup.yaml does, without what only a real machine needs.
const GroupTemplate = `
heat_template_version: 2018-08-31
parameters:
  node_count: {type: number}
  nodes_to_remove: {type: comma_delimited_list, default: []}
  flavor: {type: string, default: m1.small}
resources:
  nodes:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: node_count}
      removal_policies: [{resource_list: {get_param: nodes_to_remove}}]
      resource_def:
        type: OS::Nova::Server
        properties:
          name: {list_join: ['-', [{get_param: 'OS::stack_name'}, '%index%']]}
          image: node-image
          flavor: {get_param: flavor}
          networks: [{network: nodes}]
          metadata: {metering.stack: {get_param: 'OS::stack_id'}, node_index: '%index%'}
`
