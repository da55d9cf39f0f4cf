/** Options of the pipe transport (Exim spec 29). */

import { fixed, flag, integer, octal, size, stringList, template, time } from '../options/kinds.ts';
import { neverEffective, type OptionTable } from '../options/table.ts';
import { shape } from './shape-options.ts';

export const pipeOptions = {
  allow_commands: template('Commands that are allowed whatever restrict_to_path says.'),
  batch_id: template('Addresses for which this comes out the same are delivered together.'),
  batch_max: integer('How many addresses one delivery may be for.', 1),
  check_string: shape('check_string', fixed('Lines of a body that begin with this are escaped.')),
  command: template('The command that a message is piped to.'),
  environment: template('Variables, as name=value, that are added to the environment of the command.'),
  escape_string: shape('escape_string', fixed('What stands in an escaped line for the text of check_string.')),
  force_command: flag('Runs the command of this transport even for addresses that are commands.'),
  freeze_exec_fail: flag('Freezes a message whose command cannot be run.'),
  freeze_signal: flag('Freezes a message whose command was ended by a signal.'),
  ignore_status: flag('Takes a delivery for done whatever the command returns.'),
  log_defer_output: flag('Logs the first line of output when the delivery is put off.'),
  log_fail_output: flag('Logs the first line of output when the delivery failed.'),
  log_output: flag('Logs the first line of output.'),
  max_output: size('How much a command may write before it is stopped.', 20_480),
  message_prefix: shape(
    'message_prefix',
    template('Text before each message.', 'From ${if def:return_path{$return_path}{MAILER-DAEMON}} ${tod_bsdinbox}\\n'),
  ),
  message_suffix: shape('message_suffix', template('Text behind each message.', '\\n')),
  path: template('Directories where the command is searched, and its PATH.', '/bin:/usr/bin'),
  permit_coredump: neverEffective(
    flag('Lets a command that crashes leave a core file.'),
    'a command leaves a core file or not, as the system lets the server do it',
  ),
  pipe_as_creator: flag('Runs the command as the user who submitted the message.'),
  restrict_to_path: flag('Allows only commands without a slash that are found in the path.'),
  return_fail_output: flag('Sends output back in a bounce when the delivery failed.'),
  return_output: flag('Takes output for a failure and sends it back in a bounce.'),
  temp_errors: stringList('Return codes that put the delivery off rather than make it fail.', '75:73'),
  timeout: time('How long the command may run.', 3600),
  timeout_defer: flag('Puts the delivery off when the time is over; otherwise it fails.'),
  umask: octal('Permissions that files the command makes shall not have.', 0o022),
  use_bsmtp: flag('Writes messages in batch SMTP format.'),
  use_classresources: neverEffective(
    flag('Applies the limits that BSD systems set for classes of users.'),
    'Linux has no classes of users',
  ),
  use_crlf: flag('Ends lines with carriage return and newline.'),
  use_shell: flag('Hands the command to a shell.'),
} satisfies OptionTable;
