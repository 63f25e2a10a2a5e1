import { DropdownMenu } from 'radix-ui';
import type { ReactNode } from 'react';
import { Icon } from './icon.tsx';

/** A button that opens a menu. Not modal: a modal menu of Radix injects a style element, which our policy forbids. */
export function Menu(props: { trigger: ReactNode; label?: string; align?: 'start' | 'end'; children: ReactNode }) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{props.trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align={props.align ?? 'start'} sideOffset={4} collisionPadding={8} loop>
          {props.children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

export function MenuItem(props: { onSelect: () => void; disabled?: boolean; keys?: string; children: ReactNode }) {
  return (
    <DropdownMenu.Item className="menu-item" onSelect={props.onSelect} disabled={props.disabled ?? false}>
      <span className="menu-mark" />
      <span className="menu-text">{props.children}</span>
      {props.keys ? <kbd>{props.keys}</kbd> : null}
    </DropdownMenu.Item>
  );
}

export function MenuCheck(props: {
  checked: boolean;
  onSelect: () => void;
  disabled?: boolean;
  keys?: string;
  children: ReactNode;
}) {
  return (
    <DropdownMenu.CheckboxItem
      className="menu-item"
      checked={props.checked}
      onSelect={props.onSelect}
      disabled={props.disabled ?? false}
    >
      <span className="menu-mark">{props.checked ? <Icon name="check" /> : null}</span>
      <span className="menu-text">{props.children}</span>
      {props.keys ? <kbd>{props.keys}</kbd> : null}
    </DropdownMenu.CheckboxItem>
  );
}

/** One of several: `value` is the chosen one. */
export function MenuChoice<Value extends string>(props: {
  value: Value;
  onChange: (value: Value) => void;
  choices: readonly { value: Value; label: string; hint?: string }[];
}) {
  return (
    <DropdownMenu.RadioGroup value={props.value} onValueChange={(value) => props.onChange(value as Value)}>
      {props.choices.map((choice) => (
        <DropdownMenu.RadioItem key={choice.value} value={choice.value} className="menu-item">
          <span className="menu-mark">{choice.value === props.value ? <Icon name="check" /> : null}</span>
          <span className="menu-text">
            {choice.label}
            {choice.hint ? <small>{choice.hint}</small> : null}
          </span>
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}

export function SubMenu(props: { label: string; children: ReactNode }) {
  return (
    <DropdownMenu.Sub>
      <DropdownMenu.SubTrigger className="menu-item">
        <span className="menu-mark" />
        <span className="menu-text">{props.label}</span>
        <Icon name="chevronRight" />
      </DropdownMenu.SubTrigger>
      <DropdownMenu.Portal>
        <DropdownMenu.SubContent className="menu" sideOffset={4} collisionPadding={8} loop>
          {props.children}
        </DropdownMenu.SubContent>
      </DropdownMenu.Portal>
    </DropdownMenu.Sub>
  );
}

export function MenuSeparator() {
  return <DropdownMenu.Separator className="menu-separator" />;
}
