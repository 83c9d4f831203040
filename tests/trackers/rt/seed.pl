# Makes people, queues, custom fields and tickets in a new database, without a server; prints as JSON what
# tests need to know. RT_SITE_CONFIG names the configuration.
use strict;
use warnings;
use utf8;
use JSON ();
use MIME::Entity;
use Encode qw(encode_utf8);
use lib '/usr/share/request-tracker5/lib';
use RT -init;

sub sure {
    my ($ok, @rest) = @_;
    die "it failed: @rest" unless $ok;
    return $ok;
}

sub user {
    my ($name) = @_;
    my $user = RT::User->new(RT->SystemUser);
    sure($user->Create(
        Name => $name, EmailAddress => "$name\@example.com", Password => "$name-secret",
        RealName => ucfirst $name, Privileged => 1,
    ));
    my $token = RT::AuthToken->new(RT->SystemUser);
    my ($ok, $msg, $secret) = $token->Create(Owner => $user->id, Description => 'tests');
    sure($ok, $msg);
    return ($user, $secret);
}

sub queue {
    my ($name, %other) = @_;
    my $queue = RT::Queue->new(RT->SystemUser);
    sure($queue->Create(Name => $name, %other));
    return $queue;
}

sub text {
    my ($type, $content, %other) = @_;
    return MIME::Entity->build(
        Type => $type, Charset => 'utf-8', Encoding => '8bit', Data => encode_utf8($content), %other);
}

# All mail is left out but that of three tickets: making it takes a second a letter.
my $scrips = RT::Scrips->new(RT->SystemUser);
$scrips->UnLimit;
my @quiet;
while (my $scrip = $scrips->Next) {
    next unless $scrip->Description =~ /notify|autoreply|forward|RSS|reminder|approval/i;
    push @quiet, $scrip;
    $scrip->__Set(Field => 'Disabled', Value => 1);
}

my ($kim, $kim_token) = user('kim');
my ($lee, $lee_token) = user('lee');
my $general = RT::Queue->new(RT->SystemUser);
$general->Load('General');
my $network = queue('Net work', Lifecycle => 'slow');
my $secret = queue('Secret');
my @look = qw(SeeQueue ShowTicket SeeCustomField);
my @all = (@look, qw(ShowTicketComments ShowOutgoingEmail CommentOnTicket ReplyToTicket ModifyTicket DeleteTicket OwnTicket
    CreateTicket ModifyCustomField));
sure($kim->PrincipalObj->GrantRight(Object => $_->[0], Right => $_->[1]))
    for map { my $queue = $_; map { [$queue, $_] } @all } $general, $network;
sure($lee->PrincipalObj->GrantRight(Object => $general, Right => $_)) for @look;

my %field;
for (['Severity', 'SelectSingle'], ['Tags', 'FreeformMultiple'], ['Hidden by rights', 'FreeformSingle']) {
    my ($name, $type) = @$_;
    my $field = RT::CustomField->new(RT->SystemUser);
    sure($field->Create(Name => $name, Type => $type, LookupType => 'RT::Queue-RT::Ticket'));
    if ($type eq 'SelectSingle') { $field->AddValue(Name => $_) for qw(low high) }
    sure($field->AddToObject(RT::Queue->new(RT->SystemUser)));
    $field{$name} = $field;
}

my $by = RT::CurrentUser->new($kim);
my $count = 12;
my @queues = ($general, $network);
for my $number (1 .. $count) {
    my $subject = $number % 2 ? "Timeout $number" : "접속 오류 $number";
    my $content = "ORA-01555 $number 타임아웃\r\nline <b>&</b>";
    my $ticket = RT::Ticket->new($number == 11 ? RT->SystemUser : $by);
    my $queue = $number == 11 ? $secret : $queues[$number % 3 ? 0 : 1];
    my ($id, undef, $msg) = $ticket->Create(
        Queue => $queue->id, Subject => $subject, Requestor => ['asker@example.com'],
        Cc => ['watcher@example.com'], Priority => $number, MIMEObj => text('text/plain', $content),
    );
    sure($id, $msg);
}

sub ticket {
    my ($number) = @_;
    my $ticket = RT::Ticket->new($by);
    $ticket->Load($number);
    return $ticket;
}

my $one = ticket(1);
my $answer = MIME::Entity->build(Type => 'multipart/mixed');
my $both = MIME::Entity->build(Type => 'multipart/alternative');
$both->add_part(text('text/plain', "An answer\n\n> ORA-01555 1\nof two lines"));
$both->add_part(text('text/html', '<p>An answer</p>'));
$answer->add_part($both);
$answer->attach(Type => 'text/plain', Filename => 'log 1.txt', Data => "log\n" x 9);
$answer->attach(Type => 'image/png', Filename => encode_utf8('그림.png'), Data => pack('C*', 0 .. 255),
    Encoding => 'base64');
sure($one->Correspond(MIMEObj => $answer));
sure($one->Comment(MIMEObj => text('text/plain', 'Only for staff')));
sure($one->Correspond(MIMEObj => text('text/html', '<p>Only <b>HTML</b> &amp; more</p><ul><li>a</li></ul>')));
sure($one->SetSubject('Renamed'));
sure($one->SetOwner($kim->id));
sure($one->SetPriority(77));
sure($one->AddCustomFieldValue(Field => $field{Severity}, Value => 'low'));
sure($one->AddCustomFieldValue(Field => $field{Severity}, Value => 'high'));
sure($one->AddCustomFieldValue(Field => $field{Tags}, Value => $_)) for qw(db 느림);
sure($one->AddLink(Type => 'DependsOn', Target => 2));
sure($one->AddLink(Type => 'MemberOf', Target => 4));
sure($one->AddLink(Type => 'RefersTo', Base => 3));
sure($one->AddLink(Type => 'RefersTo', Target => 'https://example.com/wiki/page'));
sure($one->AddLink(Type => 'DependsOn', Target => 5));
sure($one->DeleteLink(Type => 'DependsOn', Target => 5));

sure(ticket(2)->SetStatus('resolved'));
sure(ticket(4)->SetStatus('stalled'));
sure(ticket(7)->SetStatus('rejected'));
sure(ticket(3)->SetStatus('shelved'));
sure(ticket(6)->SetStatus('wrapped up'));
sure(ticket(8)->SetQueue($network->id));
$_->__Set(Field => 'Disabled', Value => 0) for @quiet;
sure(ticket(5)->Correspond(MIMEObj => text('text/plain', 'This one is sent by mail')));
sure(ticket(9)->MergeInto(10));
sure(ticket(12)->SetStatus('deleted'));
$_->__Set(Field => 'Disabled', Value => 1) for @quiet;

# As if all that had been long ago: what changed a moment ago is looked at again by every crawl.
my %times = (
    Tickets => [qw(Created LastUpdated Started Resolved Told)],
    Transactions => ['Created'], Attachments => ['Created'],
);
for my $table (sort keys %times) {
    my @set = map { "$_ = CASE WHEN $_ > '2000' THEN datetime($_, '-200 days') ELSE $_ END" } @{ $times{$table} };
    $RT::Handle->dbh->do("UPDATE $table SET " . join(', ', @set));
}
$RT::Handle->dbh->do("UPDATE Tickets SET LastUpdated = datetime(LastUpdated, '-' || id || ' days')");

print JSON->new->ascii->canonical->encode({ tokens => { kim => $kim_token, lee => $lee_token } }), "\n";
