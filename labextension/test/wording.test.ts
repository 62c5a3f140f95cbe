/** The page says what the Python side says: the same examples as tests/cards/test_job_card.py. */

import { describe, expect, it } from 'vitest';
import { about, ago, duration, elapsedWords, figure, latency, money, percent, stateWord } from '../src/wording';

describe('words', () => {
  it.each([
    [duration(9.7), '9 s'],
    [duration(372), '6 min 12 s'],
    [duration(7500), '2 h 5 min'],
    [duration(-4), '0 s'],
    [about(4), 'a few seconds left'],
    [about(42), 'about 40 s left'],
    [about(180), 'about 3 min left'],
    [about(12.5), 'about 10 s left'],
    [about(7200), 'about 2.0 h left'],
    [figure('accuracy', 0.943), '94.3 %'],
    [figure('loss', 0.3611), '0.361'],
    [figure('loss', 1.2e-5), '1.20e-05'],
    [figure('loss', 123456), '1.23e+05'],
    [figure('loss', 123.44), '123.4'],
    [figure('loss', Number.NaN), 'nan'],
    [figure('loss', null), 'nan'],
    [figure('accuracy', 1.5), '1.500'],
    [percent(0.997), '99.7 %'],
    [percent(0.0001), '< 0.1 %'],
    [percent(null), 'nan'],
    [latency(0.8), '0.8 ms'],
    [latency(41), '41 ms'],
    [latency(3400), '3.4 s'],
    [ago(3), 'just now'],
    [ago(190), '3 min ago'],
    [ago(90_000), '1 day ago'],
    [stateWord('SUCCEEDED'), 'Succeeded'],
    [money(0.08, 'USD'), '$0.08'],
    [money(0.08, 'X<>'), '0.08 X<>']
  ])('%s is %s', (said, expected) => expect(said).toBe(expected));

  it('says how long a job has taken, and how it ended', () => {
    const times = { created: 90, started: 100, ended: null };
    expect(elapsedWords({ state: 'RUNNING', ...times }, 109)).toBe('9 s');
    expect(elapsedWords({ state: 'FAILED', ...times, ended: 130 }, 999)).toBe('after 30 s');
    expect(elapsedWords({ state: 'QUEUED', created: null, started: null, ended: null }, 9)).toBe('');
  });
});
