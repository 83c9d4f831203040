# The tables of a fresh Redmine and what its API cannot set up; run by `rails runner`, prints keys and numbers as JSON.
require "json"

# A process that has seen the empty database forgets what its tables looked like: a second one takes as long again.
ActiveRecord::Migration.verbose = false
ActiveRecord::Base.connection.migration_context.migrate
ActiveRecord::Base.connection.schema_cache.clear!
ActiveRecord::Base.descendants.each(&:reset_column_information)
Setting.clear_cache
Redmine::DefaultData::Loader.load("en") if Redmine::DefaultData::Loader.no_data?

Setting.rest_api_enabled = "1"
Setting.cross_project_issue_relations = "1"
Setting.default_language = "en"

def person(login, first, last)
  User.new(firstname: first, lastname: last, mail: "#{login}@example.com", language: "en").tap do |one|
    one.login = login
    one.password = one.password_confirmation = "#{login}-password"
    one.must_change_passwd = false
    one.save!
  end
end

admin = User.find_by_login("admin")
admin.update_columns(must_change_passwd: false)
kim = person("kim", "Kim", "Minsu")
kim.pref.update!(time_zone: "Tokyo") # answers are in UTC all the same
lee = person("lee", "Lee", "이지은")

manager = Role.find_by_name("Manager")
manager.add_permission!(:view_private_notes, :set_notes_private, :set_issues_private, :delete_issues,
                        :manage_issue_relations, :manage_subtasks)
reporter = Role.find_by_name("Reporter")
reporter.remove_permission!(:view_private_notes)

open = Project.create!(name: "Datenbank", identifier: "db", is_public: true)
secret = Project.create!(name: "Secret", identifier: "secret", is_public: false)
[open, secret].each do |project|
  project.enabled_module_names = %w[issue_tracking]
  project.trackers = Tracker.all
  project.save!
end
Member.create!(project: open, principal: kim, roles: [manager])
Member.create!(project: open, principal: lee, roles: [reporter])
Member.create!(project: secret, principal: kim, roles: [manager])
versions = %w[1.0 2.0].map { |name| open.versions.create!(name: name) }
category = open.issue_categories.create!(name: "Kernel")

def field(name, format, **other)
  IssueCustomField.create!({ name: name, field_format: format, is_for_all: true, is_filter: true,
                             searchable: format == "string", trackers: Tracker.all }.merge(other))
end

fields = [
  field("Site", "string"),
  field("Platforms", "list", multiple: true, possible_values: %w[Linux Windows AIX]),
  field("Seen in", "version", multiple: true),
  field("Reviewer", "user"),
  field("Found on", "date"),
  field("Internal", "string", visible: false, roles: [manager])
]

puts JSON.dump(
  keys: { admin: admin.api_key, kim: kim.api_key, lee: lee.api_key },
  people: { kim: kim.id, lee: lee.id },
  fields: fields.to_h { |one| [one.name, one.id] },
  statuses: IssueStatus.all.to_h { |one| [one.name, one.id] },
  priorities: IssuePriority.all.to_h { |one| [one.name, one.id] },
  trackers: Tracker.all.to_h { |one| [one.name, one.id] },
  versions: versions.to_h { |one| [one.name, one.id] },
  category: category.id
)
