/** `auth-agent config …`: what a start would read, and from where. */
import { settings, variableOf } from 'auth-agent-mcp-server/node';
import { type Command, settingFlags } from '../command.ts';
import { configOf } from '../database.ts';
import { safe, table } from '../terminal.ts';

export const printConfig: Command = {
  name: 'config print',
  about: 'say what is set, to what and where, without secrets',
  flags: [...settingFlags(), { name: 'all', kind: 'switch', about: 'also what is not set, and what it is for' }],
  examples: ['auth-agent config print', 'auth-agent config print --all', 'auth-agent config print --config /etc/auth-agent.json --json'],
  run: async (call) => {
    const { shown, sources, warnings } = configOf(call);
    const set = settings.flatMap(({ name }) => {
      const [value, source] = [shown[name], sources[name]];
      return value === undefined || source === undefined ? [] : [{ name, variable: variableOf(name), value, source }];
    });
    const unset = settings.filter(({ name }) => shown[name] === undefined).map(({ name, about }) => ({ name, variable: variableOf(name), about }));
    const all = call.flags.all === true;
    return {
      data: { set, warnings, ...(all ? { unset } : {}) },
      lines: [
        ...table(
          ['SETTING', 'VALUE', 'FROM'],
          set.map(({ name, value, source }) => [name, safe(value), safe(source)]),
        ),
        ...(all
          ? [
              '',
              ...table(
                ['NOT SET', 'FOR'],
                unset.map(({ variable, about }) => [variable, about]),
              ),
            ]
          : []),
      ],
      notes: all ? [] : ['', `  ${unset.length} more have their defaults: auth-agent config print --all`],
    };
  },
};
